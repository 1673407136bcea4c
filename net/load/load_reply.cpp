#include "net/load/load_reply.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "net/json/json_text.hpp"

namespace penstock::net {
namespace {

// The Flink connector reads these as 32-bit integers and fails its job on more.
std::int64_t int32_safe(std::int64_t value) { return std::clamp<std::int64_t>(value, 0, INT32_MAX); }

class Fields {
 public:
  void text(const char* name, std::string_view value) {
    next(name);
    append_json_string(out_, value);
  }
  void number(const char* name, std::int64_t value) {
    next(name);
    out_ += fmt::format("{}", value);
  }
  void flag(const char* name, bool value) {
    next(name);
    out_ += value ? "true" : "false";
  }
  void list(const char* name, const std::vector<std::string>& values) {
    next(name);
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      out_ += i == 0 ? "\n        " : ",\n        ";
      append_json_string(out_, values[i]);
    }
    out_ += "\n    ]";
  }
  std::string end() { return out_ + "\n}\n"; }

 private:
  void next(const char* name) {
    out_ += is_first_ ? "{\n    \"" : ",\n    \"";
    is_first_ = false;
    out_ += name;
    out_ += "\": ";
  }
  std::string out_;
  bool is_first_ = true;
};

}  // namespace

std::string format_load_reply(const LoadReply& reply) {
  Fields fields;
  fields.number("TxnId", reply.txn_id);
  fields.text("Label", reply.label);
  fields.text("Comment", reply.comment);
  if (reply.group_commit) {
    fields.flag("GroupCommit", true);  // a JSON true, where the other is a text
  } else {
    fields.text("TwoPhaseCommit", reply.two_phase ? "true" : "false");
  }
  fields.text("Status", reply.status);
  if (!reply.existing_job_status.empty()) fields.text("ExistingJobStatus", reply.existing_job_status);
  fields.text("Message", reply.message);
  fields.number("NumberTotalRows", static_cast<std::int64_t>(reply.total_rows));
  fields.number("NumberLoadedRows", static_cast<std::int64_t>(reply.loaded_rows));
  fields.number("NumberFilteredRows", int32_safe(static_cast<std::int64_t>(reply.filtered_rows)));
  fields.number("NumberUnselectedRows", int32_safe(static_cast<std::int64_t>(reply.unselected_rows)));
  fields.number("LoadBytes", static_cast<std::int64_t>(reply.load_bytes));
  fields.number("LoadTimeMs", int32_safe(reply.load_ms));
  if (!reply.group_commit) fields.number("BeginTxnTimeMs", int32_safe(reply.begin_ms));
  fields.number("StreamLoadPutTimeMs", int32_safe(reply.put_ms));
  fields.number("ReadDataTimeMs", int32_safe(reply.read_ms));
  fields.number("WriteDataTimeMs", int32_safe(reply.write_ms));
  fields.number("ReceiveDataTimeMs", int32_safe(reply.receive_ms));
  if (!reply.group_commit) fields.number("CommitAndPublishTimeMs", int32_safe(reply.commit_ms));
  if (!reply.error_url.empty()) fields.text("ErrorURL", reply.error_url);
  if (!reply.first_error.empty()) fields.text("FirstErrorMsg", reply.first_error);
  if (!reply.error_lines.empty()) fields.list("ErrorRows", reply.error_lines);
  return fields.end();
}

}  // namespace penstock::net
