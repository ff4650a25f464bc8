// Package open311 lets other civic software report to the desk and follow what
// becomes of it, by Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2/,
// frozen): discovery, services, service definitions, requests, tokens; XML and
// JSON.
//
// What it tells is meant for everybody: never a name, a telephone number, a door,
// nor what a resident wrote; see public.go, the one place where a ticket becomes a
// request. Filing needs a key and goes the ordinary way through the desk.
//
// What must never come in: SQL, rules of the workflow, pages, words for people
// (they stand in the wording below open311), and the fetching of addresses that a
// client names.
//
// Reading order: open311.go (the routes), wire.go (what is said, in XML and JSON),
// public.go, requests.go (reading), create.go (filing, tokens), position.go.
package open311
