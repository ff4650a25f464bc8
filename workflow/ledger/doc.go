// Package ledger has the rules of what residents earn and spend: points for deeds
// (积分兑奖励), and the public board of the community's fund (社区基金公示). It has no
// I/O, no clock and no SQL; storage/postgres keeps what it says.
//
// Points move by double entries: an Entry takes from one account what it gives
// another, so that the sum of all accounts is zero whatever is booked. Entries are
// only added, each by its cause once, and nobody's account is ever below zero.
package ledger
