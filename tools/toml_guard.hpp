// What the TOML library cannot be given: two kinds of bad text end the process inside of it (3.3) instead of coming back as an
// error, and a running server reads its file again on SIGHUP.
//
// Journey:  read_config_file -> [check_toml_text] -> toml::parse.
// Shard:    none; a pure function.
// Promise:  good TOML passes.
// Failure:  a text with the line, as the library's own errors have it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace penstock::tools {

std::expected<void, std::string> check_toml_text(std::string_view text);

}  // namespace penstock::tools
