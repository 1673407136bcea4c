// gzip_member: bytes as one gzip member. Members can be put behind one another; a reader takes them as one body.
#pragma once

#include <string>
#include <string_view>

namespace penstock::tools {

// Appends it to `out`.
void append_gzip_member(std::string& out, std::string_view bytes);

}  // namespace penstock::tools
