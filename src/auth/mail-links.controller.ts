import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../platform/http/access';
import { MAIL_LINKS_SCRIPT, RESET_PASSWORD_PAGE, VERIFY_EMAIL_PAGE } from './mail-link-pages';

const HTML = 'text/html; charset=utf-8';

/**
 * The pages behind mailed links, for installations without a front end of their own. Opening one changes nothing: mail
 * scanners open every link, so the token is spent by the button.
 */
@ApiExcludeController()
@Public('whoever opens a mailed link is not signed in')
@Controller()
export class MailLinksController {
  @Get('verify-email')
  @Header('content-type', HTML)
  verifyEmail(): string {
    return VERIFY_EMAIL_PAGE;
  }

  @Get('reset-password')
  @Header('content-type', HTML)
  resetPassword(): string {
    return RESET_PASSWORD_PAGE;
  }

  @Get('mail-links.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return MAIL_LINKS_SCRIPT;
  }
}
