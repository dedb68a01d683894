// Package database is a charm library for both sides of a database relation: a
// [Requirer] asks for a database and gets to know where it is, a [Provider] hears what
// is asked for and answers.
//
// It speaks what the interfaces postgresql_client, mysql_client and database_client
// have in common. All of it is in the databags of the applications, as text:
//
//	client     database, extra-user-roles, requested-secrets
//	provider   database, endpoints, read-only-endpoints, version, uris,
//	           and username and password, or the secret that holds them: secret-user
//
// Both sides have events, and both can be asked how things are, for charms that
// reconcile: [Requirer.Connection] and [Provider.Requests]. Neither sets a status.
//
// It is also the model of a library for package ops: a type made in the charm's
// function, told the endpoint's name, which observes events of Juju, emits events of
// its own, and keeps what it has to remember under a key of its own.
package database
