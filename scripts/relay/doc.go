// Package relay is a TCP relay that can be cut as a network can: by reset, where every connection is torn
// down and new ones are too, and by silence, where packets simply no longer arrive, in either direction.
//
// A [Relay] has a goroutine that accepts, and two for each connection, one a direction; [Relay.Close] ends
// them all and waits for them. What it carried is counted by direction.
package relay
