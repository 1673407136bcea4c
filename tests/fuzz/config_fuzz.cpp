// Any text as a configuration file: read, or refused with words that name the file. What is read and good stays so when it is
// printed and read again.
#include "tests/fuzz/fuzz_target.hpp"
#include "tools/config.hpp"

namespace penstock::fuzz {

std::vector<std::string> seeds() {
  return {
      "data_dir = \"/var/lib/penstock\"\nlisten = '0.0.0.0:8040'\nshards = 0x2\nallow_no_password = true\n\n"
      "[limits]\nload_memory_mib = 1_024\nlabel_days = 90 # comment\n",
      "[users]\nroot = \"pbkdf2-sha256$1000$000102030405060708090a0b0c0d0e0f$"
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"\n"
      "[users.flink]\npassword = \"x\"\ngrants = { sales = [\"LOAD\", \"SELECT\"], \"*\" = ['ADMIN'] }\n",
      "limits.row_mib = 16\nlimits = { reserve_mib = 64, log_file_mib = 16 }\n",
      "a = [}",
      "[\xc3\xa9]",
      "[[users]]\n\"a\\u00e9\" = \"\"\"\nlong\\\n  text\"\"\"\nd = 1979-05-27T07:32:00.999-07:00\nf = [ 1e3, "
      "+inf, 0b1 ]\n",
      "time_zone = \"\\U0001F600\"\nlisten=''''''\n'a'.\"b\".c = 0o7\n",
  };
}

void run_one(std::string_view input) {
  tools::Config config;
  if (const auto read = tools::read_config_text(input, "the-file", config); !read) {
    if (!read.error().starts_with("config")) fail("a refusal that does not say whose", read.error());
    return;
  }
  const bool is_good = tools::check_config(config).has_value();
  if (!is_good || !config.users.empty()) return;  // users are printed as remarks
  const std::string printed = tools::print_config(config);
  tools::Config again;
  if (const auto read = tools::read_config_text(printed, "the-file", again); !read) {
    fail("what was printed cannot be read", read.error() + "\n" + printed);
  }
  if (tools::print_config(again) != printed)
    fail("a configuration changes when it is printed and read", printed);
}

}  // namespace penstock::fuzz
