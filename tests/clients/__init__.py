"""The official SDKs behind one small interface, to be pointed at a vendor's upstream or at the gateway."""
