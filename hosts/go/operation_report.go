package proactor

// Report: tells the host's owner of a failure that nobody else will hear of.

// reportTextBytesMax bounds each text that the owner gets to see.
const reportTextBytesMax = 1024

var reportProcessor = &processor{
	name:  "report",
	flags: flagReportDropped,
	tells: true,

	decode: func(s *submission, c *ioContext) (work, error) {
		message, err := s.dataText()
		if err != nil {
			return nil, err
		}
		name, err := s.name()
		if err != nil {
			return nil, err
		}
		kind := KindUnhandled
		if s.flags&flagReportDropped != 0 {
			kind = KindDropped
		}
		c.instance.report(Report{
			Kind:      kind,
			Message:   cut(message, reportTextBytesMax),
			Operation: cut(name, reportTextBytesMax),
			Token:     Token{s.argument1, s.argument2},
			Status:    Status(int32(s.argument0)),
			Request:   c.title(),
		})
		return succeedAtOnce, nil
	},
}
