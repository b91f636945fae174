import { bare, direct, nginx } from './passing.mjs';
import { litellm, portkey, smg } from './peers.mjs';
import { tenkey } from './tenkey.mjs';

/** In the order of the report. `direct` shows what the load generator and the mock provider can do at most. */
export const gateways = [direct, bare, nginx, smg, portkey, litellm, tenkey];
