// Package scsi is a codec of the SCSI commands and data that a block device needs, for both sides.
package scsi
