import type { VNode } from 'preact';
import { CardPage, SignedInPage } from '../components/page';
import type { Confirmation } from '../dashboard-actions.service';
import type { RequiredCredentials } from '../dashboard-sessions.service';

/** The data common to the sign-in and confirmation forms. */
interface SignInFormProps {
  /** The page to open afterwards. */
  readonly returnPath: string;
  readonly problem?: string;
}

/** Renders the form for email address and password. */
export function SignInPage({ email, returnPath, problem }: SignInFormProps & { email?: string }): VNode {
  return (
    <CardPage title="Sign in">
      <h1>Gigvault</h1>
      <Problem text={problem} />
      <form method="post" action="/admin/sign-in">
        <ReturnPathField path={returnPath} />
        <label>
          Email <input name="email" type="email" autocomplete="username" required autofocus value={email} />
        </label>
        <PasswordField />
        <button class="main">Sign in</button>
      </form>
      <p class="muted">For admins of this installation. Every visit is logged.</p>
    </CardPage>
  );
}

/** Renders the form of the second sign-in step. */
export function CodePage({ mfaToken, returnPath, problem }: SignInFormProps & { mfaToken: string }): VNode {
  return (
    <CardPage title="Sign in">
      <h1>Gigvault</h1>
      <Problem text={problem} />
      <form method="post" action="/admin/sign-in/code">
        <ReturnPathField path={returnPath} />
        <input type="hidden" name="mfaToken" value={mfaToken} />
        <CodeField isFirst />
        <button class="main">Sign in</button>
      </form>
      <p class="muted">
        <a href="/admin/sign-in">Start over</a>
      </p>
    </CardPage>
  );
}

/** Renders the form by which admins confirm their identity after half an hour without a page. */
export function ConfirmPage({ returnPath, problem }: SignInFormProps): VNode {
  return (
    <CardPage title="Confirm your identity">
      <h1>Confirm your identity</h1>
      {problem === undefined ? <p>No page was opened for half an hour.</p> : <Problem text={problem} />}
      <form method="post" action="/admin/confirm">
        <ReturnPathField path={returnPath} />
        <PasswordField isFirst />
        <CodeField isOptional />
        <button class="main">Continue</button>
      </form>
      <form method="post" action="/admin/sign-out">
        <button class="subtle">Sign out</button>
      </form>
    </CardPage>
  );
}

/** Renders the problem of a form, if any. */
export function Problem({ text }: { text: string | undefined }): VNode | null {
  if (text === undefined) return null;
  return (
    <p class="notice bad" role="alert">
      {text}
    </p>
  );
}

/** Renders the field for the password; `isFirst` focuses it. */
export function PasswordField({ isFirst = false }: { isFirst?: boolean }): VNode {
  return (
    <label>
      Password <input name="password" type="password" autocomplete="current-password" required autofocus={isFirst} />
    </label>
  );
}

function CodeField({ isFirst = false, isOptional = false }: { isFirst?: boolean; isOptional?: boolean }): VNode {
  return (
    <label>
      Code of your authenticator, or a backup code{isOptional && ' (with two-factor sign-in)'}{' '}
      <input name="code" autocomplete="one-time-code" required={!isOptional} maxlength={64} autofocus={isFirst} />
    </label>
  );
}

function ReturnPathField({ path }: { path: string }): VNode {
  return <input type="hidden" name="to" value={path} />;
}

interface ActionPageProps {
  readonly confirmation: Confirmation;
  /** The path of the form's POST request. */
  readonly action: string;
  /** The credentials to enter; null when none. */
  readonly credentials: RequiredCredentials | null;
  readonly reason?: string;
  readonly problem?: string;
}

/** Renders the form that asks for the reason of an action and, if required, for credentials. */
export function ActionPage({ confirmation, action, credentials, reason, problem }: ActionPageProps): VNode {
  const { title, text, button, cancelPath, isDestructive } = confirmation;
  return (
    <SignedInPage title={title} section="">
      <div class="narrow card">
        <h1>{title}</h1>
        <p>{text}</p>
        <Problem text={problem} />
        <form method="post" action={action}>
          <label>
            Reason, for the security log{' '}
            <input name="reason" required maxlength={500} autocomplete="off" autofocus value={reason} />
          </label>
          {credentials && <CredentialFields {...credentials} />}
          <p class="actions">
            <button class={isDestructive ? 'destructive' : 'main'}>{button}</button>{' '}
            <a class="button subtle" href={cancelPath}>
              Cancel
            </a>
          </p>
        </form>
      </div>
    </SignedInPage>
  );
}

function CredentialFields({ needsCode }: RequiredCredentials): VNode {
  return (
    <>
      <p class="muted">Confirm your identity. The confirmation is valid for ten minutes.</p>
      <PasswordField />
      {needsCode && <CodeField />}
    </>
  );
}
