import { z } from 'zod';
import { HEADER_TOKEN } from '../../platform/http/edge/header-values';
import { defineDocument, id, optional, text } from './upwork-document';

const company = z.object({
  organizationId: z.string().regex(HEADER_TOKEN).max(100),
  title: text,
  /** `SoleProprietor` or `Business`. */
  organizationType: text,
  /** `Client` or `Vendor`. */
  organizationLegacyType: text,
});

type Company = z.output<typeof company>;

/** Leaves out the organizations that cannot be read. */
function listPresent(items: readonly (Company | null | undefined)[]): Company[] {
  return items.filter((item) => item !== null && item !== undefined);
}

/** Lists the organizations that a connection may act for: client accounts, freelancer accounts and agencies. */
export const COMPANY_SELECTOR = defineDocument(
  'CompanySelector',
  `query CompanySelector {
    companySelector { items { organizationId title organizationType organizationLegacyType } }
  }`,
  z.object({ companySelector: z.object({ items: z.array(optional(company)).transform(listPresent) }) }),
);

/** Reads the user of the connection. */
export const CURRENT_USER = defineDocument(
  'CurrentUser',
  `query CurrentUser { user { id } }`,
  z.object({ user: z.object({ id }) }),
);
