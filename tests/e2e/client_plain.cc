// The header from C++: the plain functions, without a macro.
#include <cstdio>
#include <statwit.h>

int main() {
    statwit_error error{};
    statwit_options options{};
    options.backend = "dummy";
    statwit_metrics *metrics = statwit_open(&options, &error);
    statwit_tag tags[] = {{"env", "ci"}, {nullptr, nullptr}};
    statwit_call call{};
    call.tags = tags;
    statwit_emit_incr(metrics, "hits", &call);
    statwit_emit_real(metrics, STATWIT_GAUGE, "level", 0.5, nullptr);
    statwit_close(metrics);
    std::puts("c++: ok");
}
