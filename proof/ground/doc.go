// Package ground is what the proofs stand on: private stores that can be killed,
// filled up and brought back, the product as real processes built from this tree
// (also with a fault put in on purpose), and a door in front of the replicas such
// as a proxy would be. See proof/chaos and proof/bench.
//
// Nothing in here knows what is proved. What must never come in: the product's own
// packages, except to fill its tables before a proof begins; whoever judges the
// product must not borrow its judgement.
package ground
