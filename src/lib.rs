//! Jianbao (简报, "bulletin") reads the bulletins of Chinese banks, banking
//! associations and regulators and returns what each institution did and every
//! figure it reported.

pub mod cli;
pub mod config;
pub mod files;
pub mod grpc;
pub mod metrics;
pub mod register;
pub mod renew;
pub mod telemetry;
