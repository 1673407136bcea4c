// LoadReply: the JSON a Stream Load is answered with, every field in its order and type (protocol reference 3.2).
//
// Journey:  LoadHandler fills it in -> [format_load_reply] -> Exchange::reply.
// Shard:    any; a value.
// Promise:  Label and Message are never null; *TimeMs and row counters that clients read as 32 bits stay within them.
// Failure:  none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::net {

struct LoadReply {
  std::int64_t txn_id = -1;
  std::string label;
  std::string comment;
  bool two_phase = false;
  bool group_commit = false;  // a field of its own in place of TwoPhaseCommit, and two fewer
  std::string status = "Success";
  std::string existing_job_status;  // with Label Already Exists
  std::string message = "OK";
  std::uint64_t total_rows = 0;
  std::uint64_t loaded_rows = 0;
  std::uint64_t filtered_rows = 0;
  std::uint64_t unselected_rows = 0;
  std::uint64_t load_bytes = 0;
  std::int64_t load_ms = 0;
  std::int64_t begin_ms = 0;
  std::int64_t put_ms = 0;
  std::int64_t read_ms = 0;
  std::int64_t write_ms = 0;
  std::int64_t receive_ms = 0;
  std::int64_t commit_ms = 0;
  std::string error_url;                 // ErrorURL
  std::string first_error;               // FirstErrorMsg
  std::vector<std::string> error_lines;  // the first bad rows with their reasons (ours: ErrorRows)
};

std::string format_load_reply(const LoadReply& reply);

}  // namespace penstock::net
