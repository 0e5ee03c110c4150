import { LoadingManager } from 'three';

/**
 * The application's manager as one job sees it: items, URL modifier and handlers are the application's, the abort
 * signal is the job's own, so that loaders made inside the job (textures, external buffers) end with it.
 */
export class JobManager extends LoadingManager {
  constructor(application: LoadingManager, controller: AbortController) {
    super();
    this.itemStart = (url) => application.itemStart(url);
    this.itemEnd = (url) => application.itemEnd(url);
    this.itemError = (url) => application.itemError(url);
    this.resolveURL = (url) => application.resolveURL(url);
    this.getHandler = (file) => application.getHandler(file);
    // An own property: three declares an accessor on the prototype and types it as a property.
    Object.defineProperty(this, 'abortController', { value: controller });
  }
}
