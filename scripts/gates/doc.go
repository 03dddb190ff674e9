// Package gates holds the tests that watch over the project rather than over a package: which layer may
// import which, what stands at the top of the tree, and that a gate does what its name says.
package gates
