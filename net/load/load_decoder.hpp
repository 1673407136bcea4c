// What turns a load's body into the table's rows, from what its head says.
//
// A decoder of its format, the expressions of the head behind it, and what rows the table's partitions take behind those.
// JSON rows that name the table's own columns, with no `columns` and no `jsonpaths` in the head, follow ALTER TABLE: the
// same decoders go on with the columns of the new schema.
//
// Journey:  run_load_session -> [make_load_decoder] -> txn::Load.
// Shard:    the load's.
// Promise:  `follow` changes all of the decoders or none of them. It uses the request, which must outlive the load.
// Failure:  the code and text of the reply.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>

#include "net/load/load_request.hpp"
#include "txn/decode/column_decode.hpp"
#include "txn/store/load.hpp"

namespace penstock::net {

using LoadDecoder = txn::Load::Decoding;

// `now_micros`: UTC. The scratch must outlive the decoder.
std::expected<LoadDecoder, txn::LoadError> make_load_decoder(const LoadRequest& request,
                                                             const txn::StoreLimits& limits,
                                                             const txn::Table& table, std::int64_t now_micros,
                                                             txn::DecodeScratch& scratch);

}  // namespace penstock::net
