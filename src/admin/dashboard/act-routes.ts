import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { currentPrincipal } from '../../auth/principal';
import { AppError } from '../../platform/errors/app-error';
import { ActFormDto } from '../dto/act-form.dto';
import { DashboardActs, type Act } from './acts';
import { DashboardSessions, type NeededProof } from './dashboard-sessions';
import { formOf, HTML } from './forms';
import { actPage } from './pages/act-page';

type WithId = FastifyRequest<{ Params: { id: string } }>;

/** Each act is asked about on its path, and done there; a proof it needs is part of its form. */
@Injectable()
export class ActRoutes {
  constructor(
    private readonly acts: DashboardActs,
    private readonly sessions: DashboardSessions,
  ) {}

  add(scope: FastifyInstance): void {
    for (const [name, act] of Object.entries(this.acts.all)) {
      scope.get<{ Params: { id: string } }>(act.path, async (request, reply) =>
        this.ask(act, request, reply, await this.proofFor(act)),
      );
      scope.post<{ Params: { id: string } }>(act.path, (request, reply) => this.do(name, act, request, reply));
    }
  }

  private async do(name: string, act: Act, request: WithId, reply: FastifyReply): Promise<FastifyReply> {
    const { reason, password, code } = await formOf(request, ActFormDto);
    const proof = await this.proofFor(act);
    try {
      if (proof && password === undefined)
        throw new AppError('auth.step_up_required', { detail: 'Confirm with your password.' });
      if (proof && password !== undefined) await this.sessions.confirm(password, code);
    } catch (error) {
      const wantsPage = request.headers.accept?.includes('text/html') ?? false;
      if (!wantsPage || !(error instanceof AppError) || error.status >= 500) throw error;
      return this.ask(act, request, reply.status(error.status).headers(error.headers), proof, {
        reason,
        problem: error.detail ?? error.title,
      });
    }
    return reply.redirect(`${await act.do(request.params.id, reason)}?done=${name}`, 303);
  }

  private ask(
    act: Act,
    request: WithId,
    reply: FastifyReply,
    proof: NeededProof | null,
    again: { reason?: string; problem?: string } = {},
  ): FastifyReply {
    const action = request.url.split('?', 1)[0] ?? '';
    return reply.type(HTML).send(actPage({ question: act.ask(request.params.id), action, proof, ...again }));
  }

  private proofFor({ needsStepUp = false }: Act): Promise<NeededProof | null> {
    return this.sessions.proofFor(currentPrincipal(), needsStepUp);
  }
}
