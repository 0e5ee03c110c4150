import { serveReplica } from './replica-port.ts';

serveReplica(globalThis as unknown as Parameters<typeof serveReplica>[0]);
