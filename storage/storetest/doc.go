// Package storetest gives tests real stores: a PostgreSQL database of their own, a
// Redis server of their own, and a proxy in front of either that takes it away or
// makes it slow.
//
// Tests and proofs import it. What must never come in: anything of the product's, such as
// migrations or clients; a test brings those itself. Nothing in here imitates a store.
package storetest
