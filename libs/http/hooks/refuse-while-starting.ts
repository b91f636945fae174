import { randomUUID } from 'node:crypto';
import { type RequestListener } from 'node:http';
import { type Log } from '#log';
import { Problem } from '../problems/problem';
import { renderProblem } from '../problems/render';
import { clientKindOf } from '../requests/client-kind';
import { pathOf } from '../requests/paths';

/** Answers a request that arrives before there is an application, in the format that its client expects. */
export function refuseWhileStarting(log: Log): RequestListener {
  return ({ url = '/', method, headers }, response) => {
    const requestId = randomUUID();
    const problem = new Problem('credential_store_unavailable', {
      detail: 'Tenkey is starting and waits for its database. Send the request again.',
    });
    const path = pathOf(url);
    const clientKind = clientKindOf(path, undefined, headers);
    const { contentType, body } = renderProblem(problem, { path, clientKind, requestId, isTenant: false });
    response.writeHead(problem.status, {
      'content-type': contentType,
      'x-tenkey-request-id': requestId,
      'x-tenkey-problem': problem.code,
      'retry-after': '5',
    });
    response.end(JSON.stringify(body));
    const { status, code } = problem;
    log.known.info({ request_id: requestId, method, status, code }, 'request while starting');
  };
}
