#include "net/load/error_log_handler.hpp"

namespace penstock::net {

core::Task<void> ErrorLogHandler::handle(Exchange& exchange) {
  const std::string file = exchange.request().query_value("file").value_or("");
  Response response = Response::text("parameter file not specified in url\n", 400);
  if (!file.empty()) {
    auto text = co_await logs_.read(file);
    response = text
                   ? Response::text(std::move(*text))
                   : Response::text(
                         "no such error log: it is older than the limit, had to make room for newer ones, or "
                         "went with a restart\n",
                         404);
  }
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");  // the text holds what clients sent
  (void)co_await exchange.reply(std::move(response));
}

}  // namespace penstock::net
