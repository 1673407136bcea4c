#include "net/load/load_request.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace penstock::net {
namespace {

constexpr std::int64_t kTimeoutSecondsMax = 259200;

std::string_view value_of(const Request& request, std::string_view name) {
  for (const std::string_view value : request.headers(name)) {
    if (!value.empty()) return value;
  }
  return {};
}

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
  if (const auto text = value_of(request, "compress_type"); !text.empty())
    return txn::parse_compression(text);
  const bool is_gzip = equals_ignoring_case(value_of(request, "content-encoding"), "gzip");
  return is_gzip ? txn::Compression::GzipIfMarked : txn::Compression::None;
}

std::expected<core::TimeZone, std::string> parse_zone(const Request& request) {
  std::string_view name = value_of(request, "timezone");
  if (name.empty()) name = value_of(request, "time_zone");
  if (name.empty()) return core::TimeZone::of_server();
  if (const auto zone = core::TimeZone::find(name)) return *zone;
  return std::unexpected(fmt::format(
      "Unknown or incorrect time zone: '{}' (give a name as Asia/Shanghai or an offset as +08:00)", name));
}

}  // namespace

std::expected<LoadRequest, txn::LoadError> parse_load_request(const Request& request,
                                                              std::string_view database,
                                                              std::string_view table) {
  LoadRequest load;
  load.database = database;
  load.table = table;
  load.label = value_of(request, "label");
  load.comment = value_of(request, "comment");
  if (auto length = check_length(request); !length) return std::unexpected(length.error());

  load.two_phase = equals_ignoring_case(value_of(request, "two_phase_commit"), "true");
  if (const auto group = value_of(request, "group_commit");
      !group.empty() && !equals_ignoring_case(group, "off_mode")) {
    if (!equals_ignoring_case(group, "sync_mode") && !equals_ignoring_case(group, "async_mode")) {
      return refuse("group_commit can only be [async_mode, sync_mode, off_mode]");
    }
    return refuse(fmt::format(
        "group_commit: {} is not supported yet by this version of penstock; send the load without "
        "it: small loads share commits anyway",
        group));
  }
  if (const auto format = value_of(request, "format"); equals_ignoring_case(format, "json")) {
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
  // Headers that would change which rows arrive may not be ignored: rows would come out wrong in silence.
  for (const std::string_view name :
       {"partitions", "temporary_partitions", "merge_type", "delete", "function_column.sequence_col",
        "partial_columns", "negative", "unique_key_update_mode"}) {
    const std::string_view value = value_of(request, name);
    const bool is_default = value.empty() || equals_ignoring_case(value, "false") || value == "0" ||
                            (name == "merge_type" && equals_ignoring_case(value, "APPEND")) ||
                            (name == "unique_key_update_mode" && equals_ignoring_case(value, "UPSERT"));
    if (!is_default) {
      return refuse(
          fmt::format("header {}: {} is not supported yet by this version of penstock", name, value));
    }
  }
  load.columns = value_of(request, "columns");
  load.where = value_of(request, "where");
  load.hidden_columns = value_of(request, "hidden_columns");
  auto csv = parse_csv_headers(request, value_of(request, "format"));
  if (!csv) return refuse(csv.error());
  load.csv = std::move(*csv);
  if (const auto text = value_of(request, "max_filter_ratio"); !text.empty()) {
    const std::string copy(text);
    load.max_filter_ratio = std::strtod(copy.c_str(), nullptr);  // as Doris: garbage is 0
    if (!(load.max_filter_ratio >= 0)) load.max_filter_ratio = 0;
  }
  if (const auto text = value_of(request, "strict_mode"); !text.empty()) {
    if (!equals_ignoring_case(text, "true") && !equals_ignoring_case(text, "false")) {
      return refuse("Invalid strict mode format. Must be bool type");
    }
    load.strict_mode = equals_ignoring_case(text, "true");
  }
  auto zone = parse_zone(request);
  if (!zone) return refuse(zone.error());
  load.zone = *zone;
  if (const auto text = value_of(request, "timeout"); !text.empty()) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || seconds < 1 ||
        seconds > kTimeoutSecondsMax) {
      return refuse(
          fmt::format("timeout: '{}' is not a number of seconds from 1 to {}", text, kTimeoutSecondsMax));
    }
    load.timeout = std::chrono::seconds(seconds);
  }
  return load;
}

}  // namespace penstock::net
