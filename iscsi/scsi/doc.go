// Package scsi is the codec of the SCSI commands and data that a block device over iSCSI needs (SAM-5, SPC-4, SBC-3), for both
// sides: an initiator builds CDBs and parses answers, a target parses CDBs and builds answers. It does no I/O, keeps no state and
// logs nothing.
//
// # Names
//
//   - PutX writes the CDB of command X into the caller's *CDB; all 16 bytes are set.
//   - ParseX decodes a CDB into an X, for commands; ParseXData, ParseX of a page or a list decodes what a device answers.
//   - Append methods and AppendX functions append an answer (or a parameter list) to a slice, as append does.
//
// PutRead, PutWrite, PutSyncCache16, PutWriteSame16, ParseRW and ParseSense allocate nothing.
//
// # Memory
//
// What a parser returns is a copy, with one exception: an UnmapList refers to the bytes that were parsed.
//
// # Bad input
//
// No parser panics, and what it returns is bounded by its input and by MaxLUNs, MaxPortGroups and MaxUnmapRanges. There are two
// errors:
//
//   - *CDBError: a target refuses the CDB; its Sense method is the sense data to answer with.
//   - *FormatError: data cannot be used. If its Need is set, the data was cut off by the allocation length: ask again with Need.
//
// Devices answer with pages of several ages, so a page of fixed fields may be short (InquiryData, BlockLimits, Characteristics,
// Provisioning, Capacity after 12 bytes): fields beyond its end are zero, which in each of them means "not told". A list must be
// whole (SupportedPages, the serial number, designators, LUNs, port groups), since a part of it would be taken for something else.
// Texts from a device are escaped where they do not print, so that they may be logged.
//
// Bounds of a device are not this package's: InRange helps to check them.
//
// # What to beware of
//
//   - 0 blocks transfers nothing in READ, WRITE and VERIFY, but is "all to the end" in SYNCHRONIZE CACHE, and in WRITE SAME it is
//     either that or refused (WSNZ). An empty range must never become a WRITE SAME.
//   - A device without a caching mode page has to be taken for one with a volatile cache.
//   - FUA may be sent only if ModeData.DPOFUA is set.
//   - Zeroes after an UNMAP are certain only with LBPRZ, and even then UNMAP is a hint: what must read as zeroes is written with
//     WRITE SAME.
//   - Deferred sense belongs to an earlier command that was already answered GOOD.
//
// # Glossary
//
//   - ACA: auto contingent allegiance, a mode of error handling that nobody here offers (the NACA bit of a CDB).
//   - ALUA: asymmetric logical unit access; ports of a device differ in how well they reach it.
//   - Allocation length: how many bytes of answer the initiator has room for. A longer answer is cut off; that is no error.
//   - ASC, ASCQ: additional sense code and qualifier, together a Code.
//   - BYTCHK: byte check, what VERIFY compares.
//   - CDB: command descriptor block, the 6 to 16 bytes of a command.
//   - Designator: one name of a logical unit, a port or a device.
//   - DPO: disable page out, a hint not to cache.
//   - EVPD: enable vital product data, the bit of INQUIRY that asks for a VPD page.
//   - FUA: force unit access, read from or write to the medium before the status.
//   - LBA: logical block address.
//   - LBPME, LBPRZ: logical block provisioning management enabled, and read zeroes.
//   - LBPPBE: logical blocks per physical block, as an exponent of two.
//   - LBPU, LBPWS: logical block provisioning by UNMAP, and by WRITE SAME.
//   - LUN: logical unit number, 64 bits on the wire, of which most devices use 16.
//   - NAA: the network address authority format of a world wide name; its first four bits are the form.
//   - NDOB: no data-out buffer, a WRITE SAME of zeroes without data.
//   - RTPG: REPORT TARGET PORT GROUPS.
//   - Sense: what a device tells of a failed command.
//   - TPGS: target port group support, the field of INQUIRY that tells of ALUA.
//   - UGAVALID: unmap granularity alignment is valid.
//   - UNMAP: tells that blocks are no longer used.
//   - VPD: vital product data, the pages that INQUIRY returns with EVPD.
//   - WCE: write cache enabled; acknowledged writes may be lost with the power until a SYNCHRONIZE CACHE.
//   - WSNZ: write same non-zero, a WRITE SAME of 0 blocks is refused.
package scsi
