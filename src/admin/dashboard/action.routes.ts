import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { currentPrincipal } from '../../platform/http/access/access';
import { AppError } from '../../platform/errors/app-error';
import { ActionFormDto, HTML_MEDIA_TYPE, readForm } from './forms';
import { DashboardActionsService, type Action } from './dashboard-actions.service';
import { DashboardSessionsService, type RequiredProof } from './dashboard-sessions.service';
import { actionPage } from './pages/form-pages';

type RequestWithId = FastifyRequest<{ Params: { id: string } }>;

/** Each act is asked about on its path, and done there; a proof it needs is part of its form. */
@Injectable()
export class ActionRoutes {
  constructor(
    private readonly actions: DashboardActionsService,
    private readonly sessions: DashboardSessionsService,
  ) {}

  register(scope: FastifyInstance): void {
    for (const [name, adminAction] of Object.entries(this.actions.all)) {
      scope.get<{ Params: { id: string } }>(adminAction.path, async (request, reply) =>
        this.sendForm(adminAction, request, reply, await this.findRequiredProof(adminAction)),
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
    const proof = await this.findRequiredProof(adminAction);
    try {
      if (proof && password === undefined)
        throw new AppError('auth.step_up_required', { detail: 'Confirm with your password.' });
      if (proof && password !== undefined) await this.sessions.confirm(password, code);
    } catch (error) {
      const wantsPage = request.headers.accept?.includes('text/html') ?? false;
      if (!wantsPage || !(error instanceof AppError) || error.status >= 500) throw error;
      return this.sendForm(adminAction, request, reply.status(error.status).headers(error.headers), proof, {
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
    proof: RequiredProof | null,
    again: { reason?: string; problem?: string } = {},
  ): FastifyReply {
    const action = request.url.split('?', 1)[0] ?? '';
    return reply
      .type(HTML_MEDIA_TYPE)
      .send(actionPage({ confirmation: adminAction.confirm(request.params.id), action, proof, ...again }));
  }

  private findRequiredProof({ needsStepUp = false }: Action): Promise<RequiredProof | null> {
    return this.sessions.findRequiredProof(currentPrincipal(), needsStepUp);
  }
}
