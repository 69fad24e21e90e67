// The environment variables that Kubernetes makes for Services. Pure.
#pragma once

#include <string>

namespace igptd {

// Whether Kubernetes sets this variable in the pods of a namespace that has a Service called igptd, igptd-admin or the
// like: IGPTD_SERVICE_HOST, IGPTD_PORT_50051_TCP_ADDR, IGPTD_ADMIN_PORT, … Of those, only IGPTD_…PORT could also be
// meant as a flag, so there the value decides: Kubernetes writes tcp://10.0.0.1:50051.
bool IsServiceVariable(const std::string& name, const std::string& value);

}  // namespace igptd
