/** What a draft is; the CHECK of ai_generations.generation_type lists the same. */
export const GENERATION_TYPES = ['proposal', 'cover_letter', 'message'] as const;

/** What a draft is. */
export type GenerationType = (typeof GENERATION_TYPES)[number];
