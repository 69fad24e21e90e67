// Whether a text is PEM, so that what is none is refused before a handshake fails of it. Pure. OpenSSL decides the
// rest.
#pragma once

#include <string>
#include <string_view>

namespace igpt::internal {

// What is wrong with a text that is to hold certificates, at least one and each of them whole: for an option's error.
// Empty: nothing. Whatever else is in the text is not looked at.
std::string CertificatesProblem(std::string_view pem);

// The same for a text that is to hold a private key. None of its problems quotes it.
std::string PrivateKeyProblem(std::string_view pem);

}  // namespace igpt::internal
