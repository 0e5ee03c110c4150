import {
  type Box3,
  DataTexture,
  Group,
  LinearFilter,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
  RGBAFormat,
  ShadowMaterial,
  Vector3,
} from 'three';
import type { NSDFGroup, NSDFObject } from '../../src/three/index.ts';

/** Texels an axis of the contact shadow. */
const SIZE = 128;
/** The pool of light that the object stands in. */
const POOL_RGB = [168, 180, 200];
const POOL_ALPHA = 0.3;
/** Heights above the ground at which the fields are asked, in radii of the object. */
const HEIGHTS = [0.03, 0.08, 0.18, 0.36];

/** A ground that is nothing but shadow: the key light's, and a contact shadow read from the fields themselves. */
export class Ground {
  readonly object = new Group();

  /** Lays the ground under `box` and bakes the contact shadow of the scene's fields. */
  place(box: Box3, scene: NSDFGroup): void {
    this.clear();
    if (box.isEmpty()) return;
    const radius = box.getSize(new Vector3()).length() / 2;
    const center = box.getCenter(new Vector3()).setY(box.min.y - radius * 0.002);
    const cast = new Mesh(new PlaneGeometry(radius * 12, radius * 12), new ShadowMaterial({ opacity: 0.34 }));
    cast.receiveShadow = true;
    const width = radius * 3.6;
    const contact = new Mesh(
      new PlaneGeometry(width, width),
      contactMaterial(scene.fields, center, width, radius),
    );
    contact.renderOrder = -1;
    this.object.add(cast, contact);
    this.object.rotation.x = -Math.PI / 2;
    this.object.position.copy(center);
  }

  clear(): void {
    for (const child of this.object.children as Mesh<PlaneGeometry, MeshBasicMaterial>[]) {
      child.geometry.dispose();
      child.material.map?.dispose();
      child.material.dispose();
    }
    this.object.clear();
  }
}

function contactMaterial(
  fields: readonly NSDFObject[],
  center: Vector3,
  width: number,
  radius: number,
): MeshBasicMaterial {
  const occlusion = bakeOcclusion(fields, center, width, radius);
  const data = new Uint8Array(SIZE * SIZE * 4);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const u = ((i % SIZE) + 0.5) / SIZE - 0.5;
    const v = (Math.floor(i / SIZE) + 0.5) / SIZE - 0.5;
    // Nothing may end at the plane's border.
    const fade = Math.max(0, 1 - Math.hypot(u, v) * 2);
    const shadow = Math.min(1, occlusion[i] * 1.1) * Math.min(1, fade * 2) * 0.75;
    const light = POOL_ALPHA * fade * fade * (1 - shadow);
    const alpha = shadow + light;
    POOL_RGB.forEach((value, channel) => {
      data[i * 4 + channel] = alpha === 0 ? value : (value * light) / alpha;
    });
    data[i * 4 + 3] = 255 * alpha;
  }
  const map = new DataTexture(data, SIZE, SIZE, RGBAFormat);
  map.minFilter = map.magFilter = LinearFilter;
  map.needsUpdate = true;
  return new MeshBasicMaterial({
    map,
    transparent: true,
    depthWrite: false,
    opacity: 0.72,
    toneMapped: false,
  });
}

/** How closed the sky is above each texel: 1 - distance / height, over several heights, the near ones weighing more. */
function bakeOcclusion(
  fields: readonly NSDFObject[],
  center: Vector3,
  width: number,
  radius: number,
): Float32Array {
  const occlusion = new Float32Array(SIZE * SIZE);
  const points = new Float32Array(SIZE * SIZE * 3);
  HEIGHTS.forEach((height, step) => {
    for (let i = 0; i < SIZE * SIZE; i++) {
      points[i * 3] = center.x + (((i % SIZE) + 0.5) / SIZE - 0.5) * width;
      points[i * 3 + 1] = center.y + height * radius;
      points[i * 3 + 2] = center.z - ((Math.floor(i / SIZE) + 0.5) / SIZE - 0.5) * width;
    }
    const distances = nearestDistances(fields, points);
    const weight = 0.55 ** (step + 1);
    for (let i = 0; i < SIZE * SIZE; i++) {
      occlusion[i] += weight * Math.min(1, Math.max(0, 1 - distances[i] / (height * radius)));
    }
  });
  return occlusion;
}

function nearestDistances(fields: readonly NSDFObject[], pointsWorld: Float32Array): Float32Array {
  const nearest = new Float32Array(pointsWorld.length / 3).fill(Number.POSITIVE_INFINITY);
  for (const field of fields) {
    if (!field.asset || field.isEmpty) continue;
    const { distances } = field.sampleWorld(pointsWorld);
    for (let i = 0; i < nearest.length; i++) nearest[i] = Math.min(nearest[i], distances[i]);
  }
  return nearest;
}
