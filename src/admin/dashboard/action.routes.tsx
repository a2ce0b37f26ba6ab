import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mustReauthenticate } from '../../platform/context/admin-acts';
import { currentPrincipal } from '../../platform/http/access/access';
import { AppError } from '../../platform/errors/app-error';
import { ActionFormDto, ActionPage, readForm, type RequiredCredentials } from './forms';
import { DashboardActionsService, type Action } from './dashboard-actions.service';
import { DashboardSessionsService } from './dashboard-sessions.service';
import { sendPage } from './responses';

type RequestWithId = FastifyRequest<{ Params: { id: string } }>;

/** Routes of the actions: GET shows the form, POST performs the action. The form includes the required credentials. */
@Injectable()
export class ActionRoutes {
  constructor(
    private readonly actions: DashboardActionsService,
    private readonly sessions: DashboardSessionsService,
  ) {}

  register(scope: FastifyInstance): void {
    for (const [name, adminAction] of Object.entries(this.actions.all)) {
      scope.get<{ Params: { id: string } }>(adminAction.path, (request, reply) =>
        this.sendForm(adminAction, request, reply, this.findRequiredCredentials(adminAction)),
      );
      scope.post<{ Params: { id: string } }>(adminAction.path, (request, reply) =>
        this.perform(name, adminAction, request, reply),
      );
    }
  }

  private async perform(
    name: string,
    adminAction: Action,
    request: RequestWithId,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { reason, password, code } = await readForm(request, ActionFormDto);
    const credentials = this.findRequiredCredentials(adminAction);
    try {
      if (credentials && password === undefined)
        throw new AppError('auth.step_up_required', { detail: 'Confirm with your password.' });
      if (credentials && password !== undefined) await this.sessions.confirm(request, password, code);
    } catch (error) {
      const wantsPage = request.headers.accept?.includes('text/html') ?? false;
      if (!wantsPage || !(error instanceof AppError) || error.status >= 500) throw error;
      return this.sendForm(adminAction, request, reply.status(error.status).headers(error.headers), credentials, {
        reason,
        problem: error.detail ?? error.title,
      });
    }
    return reply.redirect(`${await adminAction.perform(request.params.id, reason)}?done=${name}`, 303);
  }

  private sendForm(
    adminAction: Action,
    request: RequestWithId,
    reply: FastifyReply,
    credentials: RequiredCredentials | null,
    previous: { reason?: string; problem?: string } = {},
  ): FastifyReply {
    const action = request.url.split('?', 1)[0] ?? '';
    const confirmation = adminAction.confirm(request.params.id);
    return sendPage(
      reply,
      <ActionPage confirmation={confirmation} action={action} credentials={credentials} {...previous} />,
    );
  }

  private findRequiredCredentials({ act }: Action): RequiredCredentials | null {
    const principal = currentPrincipal();
    return mustReauthenticate(principal, act) ? { needsCode: principal.hasMfa === true } : null;
  }
}
