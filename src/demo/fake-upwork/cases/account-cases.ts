import { buildDataCase } from './fake-case';

/** The freelancer to whom the cases belong, their organization, and a member of the same organization. */
export const ANNA = { userId: '1300000000000000001', organizationId: '1300000000000000101' };
/** Another member of the freelancer's organization. */
export const TEAM_MATE_ID = '1300000000000000002';

/** Cases of the user and their organizations. */
export const ACCOUNT_CASES = {
  'company-selector': buildDataCase(
    {},
    {
      companySelector: {
        items: [
          buildCompany('1300000000000000100', 'Anna Berg Consulting', 'Business', 'Client', 'Client'),
          buildCompany(ANNA.organizationId, 'Anna Berg', 'SoleProprietor', 'Vendor', 'Freelancer'),
          buildCompany('1300000000000000102', 'Berg & Co', 'Business', 'Vendor', 'Agency'),
        ],
      },
    },
  ),
  'current-user': buildDataCase({}, { user: { id: ANNA.userId } }),
};

function buildCompany(
  organizationId: string,
  title: string,
  organizationType: string,
  organizationLegacyType: string,
  typeTitle: string,
) {
  return { organizationId, title, organizationType, organizationLegacyType, typeTitle };
}
