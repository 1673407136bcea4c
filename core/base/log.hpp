// Structured logs: one event name, then key=value pairs. spdlog is behind this header and nowhere else.
//
//   log_info("load_visible", "label", label, "rows", rows);
//
// Journey:  anyone -> [log_*] -> standard error (or what set_log_sink gave).
// Shard:    any thread. Never a line per row or per buffer.
// Promise:  values are quoted and control bytes escaped, so outside bytes cannot forge a line. No secrets: callers' duty.
// Failure:  a line that cannot be written is dropped.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>

namespace penstock::core {

enum class LogLevel { Debug, Info, Warn, Error };

void set_log_level(LogLevel level);
// Replaces standard error (tests and the simulator collect lines with it); an empty function restores it.
void set_log_sink(std::function<void(LogLevel, std::string_view)> sink);
void log_line(LogLevel level, std::string_view event, std::string_view fields);
void append_log_value(std::string& out, std::string_view value);

namespace log_detail {
inline void append(std::string&) {}
template <class V, class... Rest>
void append(std::string& out, std::string_view key, const V& value, const Rest&... rest) {
  out += ' ';
  out += key;
  out += '=';
  if constexpr (std::is_convertible_v<const V&, std::string_view>) {
    append_log_value(out, value);
  } else {
    out += fmt::format("{}", value);
  }
  append(out, rest...);
}
template <class... Fields>
void line(LogLevel level, std::string_view event, const Fields&... fields) {
  std::string out;
  append(out, fields...);
  log_line(level, event, out);
}
}  // namespace log_detail

template <class... F>
void log_debug(std::string_view event, const F&... fields) {
  log_detail::line(LogLevel::Debug, event, fields...);
}
template <class... F>
void log_info(std::string_view event, const F&... fields) {
  log_detail::line(LogLevel::Info, event, fields...);
}
template <class... F>
void log_warn(std::string_view event, const F&... fields) {
  log_detail::line(LogLevel::Warn, event, fields...);
}
template <class... F>
void log_error(std::string_view event, const F&... fields) {
  log_detail::line(LogLevel::Error, event, fields...);
}

}  // namespace penstock::core
