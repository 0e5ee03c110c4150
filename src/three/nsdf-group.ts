import { Group, type Material, type Mesh, Texture } from 'three';
import type { NSDFObject } from './nsdf-object.ts';

/** A loaded file: its scene graph, with an `NSDFObject` at every node that carries a field. */
export class NSDFGroup extends Group {
  readonly isNSDFGroup = true;
  /** The file's copyright line (glTF `asset.copyright`), or null. */
  copyright: string | null = null;

  /** Every field below this group, in the order of the graph. */
  get fields(): readonly NSDFObject[] {
    const fields: NSDFObject[] = [];
    this.traverse((object) => {
      if ((object as Partial<NSDFObject>).isNSDFObject) fields.push(object as NSDFObject);
    });
    return fields;
  }

  override copy(source: this, recursive?: boolean): this {
    super.copy(source, recursive);
    this.copyright = source.copyright;
    return this;
  }

  /**
   * Frees what the whole graph holds on the GPU (geometries, materials, textures) and stops pending derivations. The
   * data on the CPU stays: a graph drawn again after this, as React may do, uploads it again.
   */
  override dispose(): void {
    for (const field of this.fields) field.dispose();
    this.traverse((object) => {
      const mesh = object as Partial<Mesh>;
      mesh.geometry?.dispose();
      for (const material of [mesh.material ?? []].flat()) disposeMaterial(material);
    });
    this.dispatchEvent({ type: 'dispose' });
  }
}

function disposeMaterial(material: Material): void {
  for (const value of Object.values(material)) {
    if (value instanceof Texture) value.dispose();
  }
  material.dispose();
}
