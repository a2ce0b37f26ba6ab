import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '../platform/http/access/access';

/** Texts and target of a page that an emailed link opens. */
interface EmailLinkPage {
  readonly title: string;
  readonly lead: string;
  readonly button: string;
  /** Route that the token is posted to. */
  readonly action: string;
  readonly done: string;
  /** Label and purpose of the password field. */
  readonly passwordLabel: string;
  readonly autocomplete: 'current-password' | 'new-password';
}

const STYLE = [
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:10vh auto;padding:0 1rem}',
  'input,button{font:inherit;padding:.4rem .8rem}',
  'input{width:100%;box-sizing:border-box}',
].join('');

function renderPage({ title, lead, button, action, done, passwordLabel, autocomplete }: EmailLinkPage): string {
  const field = `<p><label>${passwordLabel}<br>
       <input name="password" type="password" autocomplete="${autocomplete}" minlength="8" required></label></p>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} · Gigvault</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<p>${lead}</p>
<form data-action="${action}" data-done="${done}">${field}<p><button>${button}</button></p></form>
<p role="status"></p>
<noscript>This page needs JavaScript. Without it, send the token of the link to POST ${action}.</noscript>
<script src="/mail-links.js"></script>
</html>
`;
}

/** The page of a verification link. */
export const VERIFY_EMAIL_PAGE = renderPage({
  title: 'Confirm your email address',
  lead: 'Enter the password that you signed up with. After a link that you requested again, choose a password.',
  button: 'Confirm',
  action: '/v1/auth/verify-email',
  done: 'Your address is confirmed. You can sign in now.',
  passwordLabel: 'Password (8 to 128 characters; 15 or more are advised)',
  autocomplete: 'current-password',
});

/** The page of a reset link. */
export const RESET_PASSWORD_PAGE = renderPage({
  title: 'Set a new password',
  lead: 'All your sessions will end. Sign in with the new password afterwards.',
  button: 'Set password',
  action: '/v1/auth/password/reset',
  done: 'The new password is set. You can sign in with it now.',
  passwordLabel: 'New password (8 to 128 characters; 15 or more are advised)',
  autocomplete: 'new-password',
});

/** Removes the token from the address bar, and so from the history, and sends it when the form is submitted. */
export const EMAIL_LINKS_SCRIPT = `'use strict';
const token = new URLSearchParams(location.search).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const body = { token, ...Object.fromEntries(new FormData(form)) };
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  try {
    const response = await fetch(form.dataset.action, options);
    const problem = response.ok ? null : await response.json();
    status.textContent = problem ? problem.detail ?? problem.title : form.dataset.done;
    form.hidden = response.ok;
  } catch {
    status.textContent = 'The server cannot be reached. Try again.';
  }
});
`;

const HTML = 'text/html; charset=utf-8';

/**
 * Serves the pages of emailed links, for installations without their own front end. Opening a page changes nothing,
 * because mail scanners open every link: only the button uses the token.
 */
@ApiExcludeController()
@Public('a user who opens an emailed link is not signed in')
@Controller()
export class EmailLinksController {
  @Get('verify-email')
  @Header('content-type', HTML)
  getVerifyEmailPage(): string {
    return VERIFY_EMAIL_PAGE;
  }

  @Get('reset-password')
  @Header('content-type', HTML)
  getResetPasswordPage(): string {
    return RESET_PASSWORD_PAGE;
  }

  @Get('mail-links.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  getScript(): string {
    return EMAIL_LINKS_SCRIPT;
  }
}
