import { parentPort } from 'node:worker_threads';
import { serveReplica } from '../train/replica-port.ts';

// Node's workers have no global `postMessage`: their parent's port stands in for it.
const port = parentPort;
if (port !== null) {
  serveReplica({
    postMessage: (message, transfer) => port.postMessage(message, transfer as ArrayBuffer[]),
    addEventListener: (_, listener) => port.on('message', (data) => listener({ data })),
  });
}
