import { useThree } from '@react-three/fiber';
import { useEffect } from 'react';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';

/** Drag to turn, scroll to come nearer; draws only when the camera moves. */
export function Orbit(): null {
  const { camera, gl, invalidate } = useThree();
  useEffect(() => {
    const controls = new OrbitControls(camera, gl.domElement);
    const onChange = (): void => invalidate();
    controls.addEventListener('change', onChange);
    return () => controls.dispose();
  }, [camera, gl, invalidate]);
  return null;
}
