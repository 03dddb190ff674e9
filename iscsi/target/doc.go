// Package target is an embedded iSCSI target.
package target
