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
import type { NSDFGroup, NSDFObject } from '../../../src/three/index.ts';
import { paintContactShadow, SHADOW_SIZE } from '../contact-shadow.ts';

/** A ground that is nothing but shadow: the key light's, and a contact shadow read from the fields themselves. */
export class Ground {
  readonly object = new Group();

  /** Lays the ground under `box` and bakes the contact shadow of the scene's fields. */
  place(box: Box3, scene: NSDFGroup): void {
    this.clear();
    if (box.isEmpty()) return;
    const radius = box.getSize(new Vector3()).length() / 2;
    const center = box.getCenter(new Vector3()).setY(box.min.y - radius * 0.002);
    const cast = new Mesh(
      new PlaneGeometry(radius * 12, radius * 12),
      new ShadowMaterial({ opacity: 0.34, depthWrite: false }),
    );
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
  const asked = fields.filter((field) => field.asset !== null && !field.isEmpty);
  const data = paintContactShadow(asked, center.toArray(), width, radius);
  const map = new DataTexture(data, SHADOW_SIZE, SHADOW_SIZE, RGBAFormat);
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
