export { accumulate } from './gradient';
export { pack, stepTable, unpack } from './step';
