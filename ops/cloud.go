package ops

// CloudSpec is how the cloud a unit runs in is reached. Only an application that is
// trusted gets it.
type CloudSpec struct {
	Type              string           `json:"type"`
	Name              string           `json:"name"`
	Region            string           `json:"region,omitempty"`
	Endpoint          string           `json:"endpoint,omitempty"`
	IdentityEndpoint  string           `json:"identity-endpoint,omitempty"`
	StorageEndpoint   string           `json:"storage-endpoint,omitempty"`
	Credential        *CloudCredential `json:"credential,omitempty"`
	CACertificates    []string         `json:"cacertificates,omitempty"`
	SkipTLSVerify     bool             `json:"skip-tls-verify,omitempty"`
	IsControllerCloud bool             `json:"is-controller-cloud,omitempty"`
}

// CloudCredential is a credential for a cloud.
type CloudCredential struct {
	AuthType   string            `json:"auth-type"`
	Attributes map[string]string `json:"attrs,omitempty"`
	Redacted   []string          `json:"redacted,omitempty"`
}

// GetCloudSpec asks for the cloud. Errors: [ErrPermission] if the application is not trusted.
func (m *Model) GetCloudSpec() (CloudSpec, error) { return m.f.backend.CredentialGet() }
