import type { JsonObject } from './json-object.ts';
import { DEFAULT_MATERIAL, type NsdfMaterial } from './scene.ts';

/** Checks all materials; a wrong one comes as null. */
export function readMaterials(root: JsonObject): readonly (NsdfMaterial | null)[] {
  return root.optionalObjects('materials').map((json) => json && readMaterial(json));
}

function readMaterial(json: JsonObject): NsdfMaterial | null {
  const pbr = json.optionalObject('pbrMetallicRoughness');
  const material = {
    name: json.text('name', ''),
    baseColorFactor: readColor(pbr, 'baseColorFactor', 4, DEFAULT_MATERIAL.baseColorFactor),
    metallicFactor: readFactor(pbr, 'metallicFactor'),
    roughnessFactor: readFactor(pbr, 'roughnessFactor'),
    emissiveFactor: readColor(json, 'emissiveFactor', 3, DEFAULT_MATERIAL.emissiveFactor),
    alphaMode: json.choice('alphaMode', ['OPAQUE', 'MASK', 'BLEND'], DEFAULT_MATERIAL.alphaMode),
    alphaCutoff: json.number('alphaCutoff', DEFAULT_MATERIAL.alphaCutoff),
    doubleSided: json.flag('doubleSided', DEFAULT_MATERIAL.doubleSided),
  };
  return Object.values(material).every((value) => value !== null) ? (material as NsdfMaterial) : null;
}

function readColor(
  json: JsonObject | null,
  key: string,
  length: number,
  fallback: readonly number[],
): readonly number[] | null {
  return json === null ? fallback : json.numbers(key, { min: length, max: length }, fallback);
}

/** Factors default to 1. */
function readFactor(json: JsonObject | null, key: string): number | null {
  return json === null ? 1 : json.number(key, 1);
}
