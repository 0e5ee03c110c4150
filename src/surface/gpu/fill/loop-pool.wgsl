/// Words of the pool: by vertex inside its position, unit normal, and slope, below zero where it was not brought to the zero set;
/// then by triangle the corners, ten bits each, and the half-edges on the other sides. Corners and half-edges are numbered in the loop.
const WORDS_INSIDE = 7u;
const WORDS_OF_TRIANGLE = 4u;
