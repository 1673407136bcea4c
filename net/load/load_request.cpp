#include "net/load/load_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "core/base/result.hpp"
#include "txn/decode/text_to_value.hpp"
#include "txn/schema/partition.hpp"

namespace penstock::net {
namespace {

constexpr std::int64_t kTimeoutSecondsMax = 259200;
constexpr std::size_t kShownMax = 64;  // bytes of a header's value in a message

std::unexpected<txn::LoadError> refuse(std::string message) {
  return std::unexpected(txn::LoadError{"INVALID_ARGUMENT", std::move(message)});
}

// A body's length is given exactly one way (protocol reference 1.4).
std::expected<void, txn::LoadError> check_length(const Request& request) {
  if (request.body_length() == BodyLength::Both) {
    return refuse("please do not set both content_length and transfer-encoding");
  }
  if (request.body_length() == BodyLength::None) {
    return refuse(
        "content_length is empty and transfer-encoding!=chunked, please set content_length or "
        "transfer-encoding=chunked");
  }
  return {};
}

// Some clients say only how HTTP calls it, and some of those do not compress after all.
std::expected<txn::Compression, std::string> parse_compression(const Request& request) {
  if (const auto text = request.first_value("compress_type"); !text.empty())
    return txn::parse_compression(text);
  const bool is_gzip = equals_ignoring_case(request.first_value("content-encoding"), "gzip");
  return is_gzip ? txn::Compression::GzipIfMarked : txn::Compression::None;
}

std::expected<core::TimeZone, std::string> parse_zone(const Request& request) {
  std::string_view name = request.first_value("timezone");
  if (name.empty()) name = request.first_value("time_zone");
  if (name.empty()) return core::TimeZone::of_server();
  if (const auto zone = core::TimeZone::find(name)) return *zone;
  return std::unexpected(fmt::format(
      "Unknown or incorrect time zone: '{}' (give a name as Asia/Shanghai or an offset as +08:00)", name));
}

// As Doris says it: its message ends with the name of the function that could not read the number.
std::expected<std::int64_t, txn::LoadError> parse_integer(std::string_view name, std::string_view text) {
  std::int64_t value = 0;
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    return refuse(fmt::format("{} is out of range: {}", name, text.substr(0, kShownMax)));
  }
  if (error != std::errc() || end != digits.data() + digits.size())
    return refuse(fmt::format("{} must be an integer, stoi", name));
  return value;
}

// What only makes Doris faster or slower does nothing here; but what Doris could not read is an error here, too.
std::expected<void, txn::LoadError> check_tuning(const Request& request) {
  for (const std::string_view name : {"send_batch_parallelism", "load_stream_per_node"}) {
    const std::string_view text = request.first_value(name);
    if (text.empty()) continue;
    TRY(const std::int64_t value, parse_integer(name, text));
    if (value < INT32_MIN || value > INT32_MAX)
      return refuse(fmt::format("{} is out of range: {}", name, text.substr(0, kShownMax)));
  }
  for (const std::string_view name : {"exec_mem_limit", "load_mem_limit"}) {
    const std::string_view text = request.first_value(name);
    if (!text.empty() && !parse_integer(name, text))
      return refuse(fmt::format("Invalid mem limit format, {}", text.substr(0, kShownMax)));
  }
  return {};
}

std::expected<void, txn::LoadError> parse_partitions(const Request& request, LoadRequest& load) {
  std::string_view rest = request.first_value("partitions");
  if (const auto temporary = request.first_value("temporary_partitions"); !temporary.empty()) {
    if (!rest.empty()) return refuse("Can not specify both partitions and temporary partitions");
    return refuse(
        fmt::format("temporary_partitions: {} is not supported: penstock has no temporary partitions",
                    temporary.substr(0, kShownMax)));
  }
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    std::string_view name = txn::trim_blanks(rest.substr(0, end));
    if (name.size() > 2 && name.front() == '`' && name.back() == '`') name = name.substr(1, name.size() - 2);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (name.empty()) return refuse("partitions: a name is missing");
    if (load.partitions.size() == txn::kPartitionsMax) return refuse("partitions: too many names");
    load.partitions.emplace_back(name);
  }
  return {};
}

std::expected<void, txn::LoadError> parse_merge(const Request& request, LoadRequest& load) {
  const std::string_view text = request.first_value("merge_type");
  if (equals_ignoring_case(text, "DELETE")) {
    load.merge_type = MergeType::Delete;
  } else if (equals_ignoring_case(text, "MERGE")) {
    load.merge_type = MergeType::Merge;
  } else if (!text.empty() && !equals_ignoring_case(text, "APPEND")) {
    return refuse(fmt::format("Invalid merge type {}", text.substr(0, kShownMax)));
  }
  const bool has_condition = !request.first_value("delete").empty();
  if (load.merge_type == MergeType::Merge && !has_condition)
    return refuse("Excepted DELETE ON clause when merge type is MERGE.");
  // Doris looks at it only if merge_type was sent, and forgets the condition otherwise: the rows would all stay.
  if (load.merge_type != MergeType::Merge && has_condition)
    return refuse("Not support DELETE ON clause when merge type is not MERGE.");
  return {};
}

bool updates_some_columns(const Request& request) {
  const std::string_view mode = request.first_value("unique_key_update_mode");
  if (mode.empty()) return equals_ignoring_case(request.first_value("partial_columns"), "true");
  return equals_ignoring_case(mode, "UPDATE_FIXED_COLUMNS") ||
         equals_ignoring_case(mode, "UPDATE_FLEXIBLE_COLUMNS");
}

std::expected<void, txn::LoadError> parse_partial(const Request& request, LoadRequest& load) {
  load.is_partial = updates_some_columns(request);
  if (const auto mode = request.first_value("unique_key_update_mode");
      !mode.empty() && !load.is_partial && !equals_ignoring_case(mode, "UPSERT")) {
    return refuse(
        fmt::format("Invalid unique_key_partial_mode {}, must be one of 'UPSERT', 'UPDATE_FIXED_COLUMNS' or "
                    "'UPDATE_FLEXIBLE_COLUMNS'",
                    mode.substr(0, kShownMax)));
  }
  const auto behavior = request.first_value("partial_update_new_key_behavior");
  if (!behavior.empty() && !equals_ignoring_case(behavior, "APPEND") &&
      !equals_ignoring_case(behavior, "ERROR")) {
    return refuse(
        fmt::format("Invalid partial_update_new_key_behavior {}, must be one of {{'APPEND', 'ERROR'}}",
                    behavior.substr(0, kShownMax)));
  }
  return {};
}

// Asked for, and nothing in the head makes it a load of its own (protocol reference 9.2); a label aside.
bool can_group_commit(const Request& request) {
  const std::string_view mode = request.first_value("group_commit");
  if (!equals_ignoring_case(mode, "sync_mode") && !equals_ignoring_case(mode, "async_mode")) return false;
  const bool is_empty = request.body_length() == BodyLength::Length && request.content_length() == 0;
  return !is_empty && request.first_value("two_phase_commit") != "true" && !updates_some_columns(request) &&
         request.first_value("partitions").empty() && request.first_value("temporary_partitions").empty();
}

std::expected<void, txn::LoadError> check_group_commit(const Request& request, std::string_view label) {
  const std::string_view mode = request.first_value("group_commit");
  if (mode.empty() || equals_ignoring_case(mode, "off_mode")) return {};
  if (!equals_ignoring_case(mode, "sync_mode") && !equals_ignoring_case(mode, "async_mode"))
    return refuse("group_commit can only be [async_mode, sync_mode, off_mode]");
  // Doris forgets the label of a chunked body. Here it counts, as Doris's documents say: that load is a plain one.
  if (!label.empty() && request.body_length() != BodyLength::Chunked && can_group_commit(request))
    return refuse("label and group_commit can't be set at the same time");
  return {};
}

}  // namespace

bool is_group_commit(const Request& request) {
  return request.first_value("label").empty() && can_group_commit(request);
}

std::expected<LoadRequest, txn::LoadError> parse_load_request(const Request& request,
                                                              std::string_view database,
                                                              std::string_view table) {
  LoadRequest load;
  load.database = database;
  load.table = table;
  load.label = request.first_value("label");
  load.comment = request.first_value("comment");
  if (auto length = check_length(request); !length) return std::unexpected(length.error());

  load.two_phase = request.first_value("two_phase_commit") == "true";  // exactly: as Doris
  TRY_VOID(check_group_commit(request, load.label));
  load.group_commit = is_group_commit(request);
  if (const auto format = request.first_value("format"); equals_ignoring_case(format, "json")) {
    auto json = parse_json_request(request);
    if (!json) return refuse(json.error());
    load.json = std::move(*json);
  } else if (!is_csv_format(format)) {
    return std::unexpected(txn::LoadError{
        "DATA_FILE_TYPE_ERROR",
        fmt::format("unknown data format, format={} (this version of penstock takes csv and json)", format)});
  }
  if (auto compression = parse_compression(request)) {
    load.compression = *compression;
  } else {
    return refuse(compression.error());
  }
  TRY_VOID(check_tuning(request));
  TRY_VOID(parse_partitions(request, load));
  TRY_VOID(parse_merge(request, load));
  TRY_VOID(parse_partial(request, load));
  load.is_negative = request.first_value("negative") == "true";
  load.sequence_column = request.first_value("function_column.sequence_col");
  load.columns = request.first_value("columns");
  load.where = request.first_value("where");
  load.hidden_columns = request.first_value("hidden_columns");
  auto csv = parse_csv_headers(request, request.first_value("format"));
  if (!csv) return refuse(csv.error());
  load.csv = std::move(*csv);
  if (const auto text = request.first_value("max_filter_ratio"); !text.empty()) {
    const std::string copy(text);
    load.max_filter_ratio = std::strtod(copy.c_str(), nullptr);  // as Doris: garbage is 0
    if (!(load.max_filter_ratio >= 0)) load.max_filter_ratio = 0;
  }
  if (const auto text = request.first_value("strict_mode"); !text.empty()) {
    if (!equals_ignoring_case(text, "true") && !equals_ignoring_case(text, "false")) {
      return refuse("Invalid strict mode format. Must be bool type");
    }
    load.strict_mode = equals_ignoring_case(text, "true");
  }
  auto zone = parse_zone(request);
  if (!zone) return refuse(zone.error());
  load.zone = *zone;
  if (const auto text = request.first_value("timeout"); !text.empty()) {
    TRY(const std::int64_t seconds, parse_integer("timeout", text));
    if (seconds < 1 || seconds > kTimeoutSecondsMax) {
      return refuse(
          fmt::format("timeout: '{}' is not a number of seconds from 1 to {}", text, kTimeoutSecondsMax));
    }
    load.timeout = std::chrono::seconds(seconds);
  }
  return load;
}

}  // namespace penstock::net
