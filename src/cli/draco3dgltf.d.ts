/** Draco for Node, an optional peer: what we use of it. Objects live on its heap until `destroy`. */
declare module 'draco3dgltf' {
  interface DracoStatus {
    ok(): boolean;
    error_msg(): string;
  }
  interface DracoMesh {
    num_points(): number;
    num_faces(): number;
  }
  interface DracoFloat32Array {
    size(): number;
    GetValue(index: number): number;
  }
  interface DracoInt8Array {
    GetValue(index: number): number;
  }
  interface DracoHeap {
    readonly HEAPF32: Float32Array;
    _malloc(byteLength: number): number;
    _free(at: number): void;
    destroy(thing: object): void;
  }
  interface DracoDecoderModule extends DracoHeap {
    readonly Mesh: new () => DracoMesh;
    readonly DracoFloat32Array: new () => DracoFloat32Array;
    readonly Decoder: new () => {
      DecodeArrayToMesh(bytes: Uint8Array, byteLength: number, mesh: DracoMesh): DracoStatus;
      GetAttributeByUniqueId(mesh: DracoMesh, id: number): object;
      GetAttributeFloatForAllPoints(mesh: DracoMesh, attribute: object, out: DracoFloat32Array): boolean;
      GetTrianglesUInt32Array(mesh: DracoMesh, byteLength: number, at: number): boolean;
    };
  }
  interface DracoEncoderModule extends DracoHeap {
    readonly POSITION: number;
    readonly MESH_EDGEBREAKER_ENCODING: number;
    readonly Mesh: new () => DracoMesh;
    readonly MeshBuilder: new () => {
      AddFacesToMesh(mesh: DracoMesh, nFaces: number, indices: Uint32Array): boolean;
      AddFloatAttributeToMesh(
        mesh: DracoMesh,
        type: number,
        nVertices: number,
        nComponents: number,
        values: Float32Array,
      ): number;
    };
    readonly Encoder: new () => {
      SetSpeedOptions(encoding: number, decoding: number): void;
      SetEncodingMethod(method: number): void;
      SetAttributeQuantization(attribute: number, nBits: number): void;
      EncodeMeshToDracoBuffer(mesh: DracoMesh, out: DracoInt8Array): number;
    };
    readonly DracoInt8Array: new () => DracoInt8Array;
  }
  const draco: {
    createDecoderModule(options: object): Promise<DracoDecoderModule>;
    createEncoderModule(options: object): Promise<DracoEncoderModule>;
  };
  export default draco;
}
