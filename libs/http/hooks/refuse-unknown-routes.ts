import { type onRequestHookHandler } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';
import { type ClientKind } from '../requests/client-kind';

const hints: Readonly<Record<ClientKind, string>> = {
  openai:
    "The base URL of OpenAI's clients is the address of this server followed by /v1; they append paths such as /chat/completions.",
  anthropic:
    "The base URL of Anthropic's clients is the address of this server without a path; they append /v1/messages.",
  azure:
    "The endpoint of Azure's clients is the address of this server without a path; they append /openai/deployments/... with the name of a model.",
  cohere:
    "The base URL of Cohere's clients is the address of this server without a path; they append /v2/rerank.",
};

/**
 * Tells a client of one of the APIs which base URL it needs, when its address is no route. Below /v1 its key was accepted by then.
 * Elsewhere keys are not read, so the response is the same for every key and reveals nothing about one.
 */
export const refuseUnknownRoutes: onRequestHookHandler = (request, reply, done) => {
  const { clientKind } = request.tenkey;
  if (!request.is404 || clientKind === undefined) return done();
  sendProblem(request, reply, new Problem('route_not_found', { hint: hints[clientKind] }));
};
