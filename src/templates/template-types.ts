/** What a template is for; the CHECK of templates.generation_type lists the same. */
export const TEMPLATE_TYPES = ['proposal', 'cover_letter', 'message'] as const;

/** What a template is for. */
export type TemplateType = (typeof TEMPLATE_TYPES)[number];
