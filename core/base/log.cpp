#include "core/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>

namespace penstock::core {
namespace {
std::function<void(LogLevel, std::string_view)>& sink() {
  static std::function<void(LogLevel, std::string_view)> instance;
  return instance;
}
spdlog::logger& logger() {
  static auto instance = [] {
    auto made = spdlog::stderr_logger_mt("penstock");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    made->flush_on(spdlog::level::info);
    return made;
  }();
  return *instance;
}
}  // namespace

void set_log_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      logger().set_level(spdlog::level::debug);
      break;
    case LogLevel::Info:
      logger().set_level(spdlog::level::info);
      break;
    case LogLevel::Warn:
      logger().set_level(spdlog::level::warn);
      break;
    case LogLevel::Error:
      logger().set_level(spdlog::level::err);
      break;
  }
}

void set_log_sink(std::function<void(LogLevel, std::string_view)> replacement) {
  sink() = std::move(replacement);
}

void log_line(LogLevel level, std::string_view event, std::string_view fields) {
  if (sink()) {
    sink()(level, fmt::format("{}{}", event, fields));
    return;
  }
  switch (level) {
    case LogLevel::Debug:
      logger().debug("{}{}", event, fields);
      break;
    case LogLevel::Info:
      logger().info("{}{}", event, fields);
      break;
    case LogLevel::Warn:
      logger().warn("{}{}", event, fields);
      break;
    case LogLevel::Error:
      logger().error("{}{}", event, fields);
      break;
  }
}

void append_log_value(std::string& out, std::string_view value) {
  bool plain = !value.empty() && value.size() <= 256;
  for (const char c : value) plain = plain && c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
  if (plain) {
    out += value;
    return;
  }
  out += '"';
  const std::string_view shown = value.substr(0, 1024);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char c = shown[i];
    const auto u = static_cast<unsigned char>(c);
    // Terminals act on 0x80 to 0x9f, alone or as U+0080 to U+009F.
    const bool begins_c1 =
        u == 0xc2 && i + 1 < shown.size() && (static_cast<unsigned char>(shown[i + 1]) & 0xe0) == 0x80;
    const bool is_c1 = (u & 0xe0) == 0x80 && (i == 0 || static_cast<unsigned char>(shown[i - 1]) < 0x80 ||
                                              static_cast<unsigned char>(shown[i - 1]) == 0xc2);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u == 0x7f || begins_c1 || is_c1) {
      out += fmt::format("\\x{:02x}", u);
    } else {
      out += c;
    }
  }
  if (value.size() > 1024) out += "...";
  out += '"';
}

}  // namespace penstock::core
