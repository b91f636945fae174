import { Injectable } from '@nestjs/common';
import { type Route } from '#egress';
import { Problem } from '#http';
import { type Operation } from '#providers';
import { type CallMeter } from '#usage';
import { asksForAudio, mayNameObjects, namedIds } from '../stored-objects/named-ids';
import { Recording } from '../stored-objects/recording';
import { StoredObjectsService } from '../stored-objects/stored-objects.service';
import { type JsonRequest } from '../request/json-request';

/**
 * The stored objects of JSON calls: those that a request names, and those that its response makes. Translated calls have none: a
 * translation refuses what names one.
 */
@Injectable()
export class ObjectsOfCallsService {
  constructor(private readonly objects: StoredObjectsService) {}

  /** Whether `check` has something to do. It costs nothing for the calls that neither name nor make a stored object. */
  concern(route: Route, request: JsonRequest): boolean {
    return (
      isNative(route) && (mayNameObjects(route.upstreamOperation, request.watched) || makes(route, request))
    );
  }

  /**
   * Refuses a request that names an object of somebody else, or that has an object made whose owner could not be recorded now.
   * @throws Problem object_not_found, malformed_request
   */
  async check(route: Route, request: JsonRequest): Promise<void> {
    const { upstreamOperation: operation } = route;
    const mayName = mayNameObjects(operation, request.watched);
    if (mayName && request.hasRepeatedName) throw repeatedName();
    const named = mayName ? namedIds(operation, request.tree) : [];
    if (named.length > 0) await this.objects.refuseForeign(route, named);
    else if (makes(route, request)) await this.objects.confirmAvailable();
  }

  /** @returns undefined when the response cannot make a stored object */
  recordingOf(route: Route, request: JsonRequest, meter: CallMeter): Recording | undefined {
    const { upstreamOperation: operation, model } = route;
    if (!isNative(route) || !mayMake(operation, request)) return undefined;
    const usage = { leaveOut: () => meter.leaveOutTokens(null), count: () => meter.countTokens() };
    const isStored = operation !== 'responses' || !request.isFalse('store');
    return new Recording(this.objects, { operation, owner: route, model, isStored, isFetched: false, usage });
  }
}

const isNative = ({ operation, upstreamOperation }: Route) => operation === upstreamOperation;

/** Whether the call makes a stored object if it succeeds. OpenAI keeps a response unless `store` is false. */
function makes({ upstreamOperation }: Route, request: JsonRequest): boolean {
  if (upstreamOperation === 'responses') return !request.isFalse('store');
  return upstreamOperation === 'chat/completions' && asksForAudio(request.watched);
}

/** Whether it may make one: also containers, which tools make. */
function mayMake(operation: Operation, request: JsonRequest): boolean {
  if (operation === 'responses' || operation === 'messages') return true;
  return operation === 'chat/completions' && asksForAudio(request.watched);
}

/** A provider may read the first of two members, and Tenkey has checked the last. */
function repeatedName(): Problem {
  return new Problem('malformed_request', {
    detail:
      'An object in the body has a member twice, and the body may name a stored object. Send each member once.',
  });
}
