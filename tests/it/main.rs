//! Integration tests, one binary. A test that shows a requirement of the service is named after its line.

mod grpc;
