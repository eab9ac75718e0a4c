"""What steps and observations do over HTTP and DNS: real requests with time limits. They decide nothing, know neither
pulumi nor a platform, and import the model's types only."""
